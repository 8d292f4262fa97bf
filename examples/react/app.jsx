import { useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";

const { consent } = window;

// useConsent returns what the visitor has decided. A component that calls it renders again
// when that changes.
const useConsent = () => useSyncExternalStore(consent.subscribe, () => consent.state);

// Consented renders its children once the visitor allows a provider of a category. The
// children are not even made before, so that nothing of theirs is loaded.
const Consented = ({ category, provider, otherwise = null, children }) =>
  useConsent().allowed[category]?.includes(provider) ? children() : otherwise;

const Ask = ({ provider }) =>
  <p className="ask">This comes from {provider}. <button onClick={() => consent.open()}>Choose cookies</button></p>;

const App = () => <>
  <h1>Harbour town</h1>
  <Consented category="third-party" provider="Vimeo" otherwise={<Ask provider="Vimeo" />}>
    {() => <iframe className="film" src="/player?film" title="A film of the harbour" />}
  </Consented>
  <Consented category="third-party" provider="Dailymotion" otherwise={<Ask provider="Dailymotion" />}>
    {() => <iframe className="meeting" src="/player?meeting" title="A meeting of the council" />}
  </Consented>
  <p>{useConsent().decided ? "You have chosen." : "You have not chosen yet."}</p>
</>;

createRoot(document.querySelector("#app")).render(<App />);
