package ledger_test

// childOf names the environment variable that makes the test's binary a site to be
// killed.
const childOf = "LEDGER_TEST_CHILD"

func serveAsChild(string) {}
