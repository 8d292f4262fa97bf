// Holds back what scripts put into local and session storage. Only a Proxy sees what is
// assigned to a storage. Whatever is native gives and takes the storage itself.
const twins = new Map;
const isHeldIn = (proxy, name) => isHeld(proxy === sessionStorage ? "sessionStorage" : "localStorage", name);
const swap = value => {
  if (value instanceof Storage && !twins.has(value)) {
    const proxy = new Proxy(value, {defineProperty: (_, name, descriptor) => typeof name === "string" && isHeldIn(proxy, name) || Reflect.defineProperty(value, name, descriptor)});
    twins.set(value, proxy).set(proxy, value);
  }
  return twins.get(value) ?? value;
};
for (const [object, ...keys] of [[window, "localStorage", "sessionStorage"], [Storage.prototype, ...Object.keys(Storage.prototype)], [StorageEvent.prototype, "storageArea", "initStorageEvent", "constructor"]])
  for (const key of keys) replace(object, key, {
    apply: (native, self, args) => {
      if (key !== "setItem" || args.length < 2 || !twins.has(self) || !isHeldIn(self, args[0] = `${args[0]}`)) return swap(native.apply(swap(self), args.map(swap)));
    },
    construct: (event, args, made) => {
      if (args[1]) args[1] = {...args[1], storageArea: swap(args[1].storageArea)};
      return Reflect.construct(event, args, made);
    },
  });
window.StorageEvent = StorageEvent.prototype.constructor;
