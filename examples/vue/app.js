import { createApp, h, onUnmounted, shallowRef } from "vue";

const { consent } = window;

// useConsent returns what the visitor has decided, as a ref.
const useConsent = () => {
  const state = shallowRef(consent.state);
  onUnmounted(consent.subscribe(() => { state.value = consent.state; }));
  return state;
};

// Consented renders its default slot once the visitor allows a provider of a category, and
// the slot "otherwise" until then. The default slot is not even called before, so that
// nothing in it is loaded.
const Consented = {
  props: { category: String, provider: String },
  setup(props, { slots }) {
    const state = useConsent();
    return () => state.value.allowed[props.category]?.includes(props.provider) ? slots.default() : slots.otherwise?.();
  },
};

const content = (provider, className, title) => h(Consented, { category: "third-party", provider }, {
  default: () => h("iframe", { class: className, src: "/player?" + className, title }),
  otherwise: () => h("p", { class: "ask" }, [`This comes from ${provider}. `, h("button", { onClick: () => consent.open() }, "Choose cookies")]),
});

createApp({
  setup() {
    const state = useConsent();
    return () => [
      h("h1", "Harbour town"),
      content("Vimeo", "film", "A film of the harbour"),
      content("Dailymotion", "meeting", "A meeting of the council"),
      h("p", state.value.decided ? "You have chosen." : "You have not chosen yet."),
    ];
  },
}).mount("#app");
