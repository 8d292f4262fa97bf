package sites

// Check returns the mistakes of a file's text.
func Check(path, text string) error {
	_, err := read(path, text, "80")
	return err
}
