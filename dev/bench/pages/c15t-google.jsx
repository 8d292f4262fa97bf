import "@c15t/react/styles.css";
import {createRoot} from "react-dom/client";
import {ConsentBanner, ConsentDialog, ConsentManagerProvider} from "@c15t/react";
import {gtag} from "@c15t/scripts/google-tag";

const options = {
  mode: "offline", // there is no backend to wait for
  overrides: {country: "DE", language: "en"},
  consentCategories: ["necessary", "measurement", "functionality", "marketing"],
  scripts: [gtag({id: "G-BENCH", category: "measurement"})],
};

createRoot(document.getElementById("c15t")).render(
  <ConsentManagerProvider options={options}>
    <ConsentBanner />
    <ConsentDialog />
  </ConsentManagerProvider>,
);
