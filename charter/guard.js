// Holds back what scripts set under a name that the visitor has not allowed. guard has what
// is declared for each kind, in the order of precedence: an expression for the name or the
// pattern, and the numbers of those in needs that have to be granted, -1 for what no script
// may set. If it has a report, that is told of the names, and nothing is held back.
const {apply} = Reflect;
let seen;
const isHeld = (kind, name) => {
  const [, ...asked] = guard[kind].find(([expression]) => expression.test(name)) ?? [];
  if (asked[0] >= 0 && seen !== (seen = document.cookie)) look(); // the visitor may have decided a moment ago
  return !asked.every(n => guard.needs(granted, answers)[n] > "e") && !guard.report?.(kind, name);
};

// A Proxy in place of a native function has its name, its length and its text.
const replace = (object, handler, ...keys) => keys.forEach(key => {
  const found = object && Object.getOwnPropertyDescriptor(object, key), field = found?.value ? "value" : key === "cookie" ? "set" : "get";
  if (found) Object.defineProperty(object, key, {...found, [field]: new Proxy(found[field], {apply: (native, self, args) => handler(native, self, args, key)})});
});

// To some browsers what has no name is a value, and to others a name. The spaces and tabs
// around both are nothing to all of them.
const split = line => line.split(";").map(part => part.split("=").map(s => s.replace(/^[ \t]+|[ \t]+$/g, "")));
const isHeldCookie = ([[name, value]]) => (name && value !== undefined ? [name] : ["", name || value || ""]).some(name => isHeld("cookie", name));
replace(Document.prototype, (set, self, [line]) => {
  const parts = split(line = `${line}`);
  // However a browser reads it, it stores nothing that ends in this way. The native function
  // is called in any case, since it may throw.
  if (isHeldCookie(parts)) {
    const {"max-age": age, expires} = Object.fromEntries(parts.map(([key, value]) => [key.toLowerCase(), value]));
    line = ((/^-?\d+$/.test(age) ? age <= 0 : Date.parse(expires) <= Date.now()) ? line : "") + ";Max-Age=0";
  }
  apply(set, self, [line]);
}, "cookie");
replace(window.CookieStore?.prototype, (set, self, args) => {
  const [name, value] = args, init = args.length > 1 ? {name, value} : {...name};
  // To delete what is not there changes nothing.
  if (isHeldCookie(split(init.name + "=" + init.value)) && !(init.expires?.valueOf() <= Date.now())) args = [{...init, name: init.name && "-", expires: 0}];
  return apply(set, self, args);
}, "set");

// Only a Proxy sees what is assigned to a storage. Whatever is native gives and takes the
// storage itself.
if (guard.localStorage[0] || guard.sessionStorage[0]) {
  const twins = new Map;
  const isHeldIn = (proxy, name) => isHeld(proxy === sessionStorage ? "sessionStorage" : "localStorage", name);
  const swap = value => {
    if (value instanceof Storage && !twins.has(value)) {
      const proxy = new Proxy(value, {defineProperty: (_, name, descriptor) => typeof name === "string" && isHeldIn(proxy, name) || Reflect.defineProperty(value, name, descriptor)});
      twins.set(value, proxy).set(proxy, value);
    }
    return twins.get(value) ?? value;
  };
  const pass = (native, self, args, key) => {
    if (key !== "setItem" || args.length < 2 || !twins.has(self) || !isHeldIn(self, args[0] = `${args[0]}`)) return swap(apply(native, swap(self), args.map(swap)));
  };
  replace(window, pass, "localStorage", "sessionStorage");
  replace(Storage.prototype, pass, "length", "key", "getItem", "setItem", "removeItem", "clear");
  replace(StorageEvent.prototype, pass, "storageArea", "initStorageEvent");
  StorageEvent.prototype.constructor = StorageEvent = new Proxy(StorageEvent, {construct: (event, args, made) => {
    if (args[1]) args[1] = {...args[1], storageArea: swap(args[1].storageArea)};
    return Reflect.construct(event, args, made);
  }});
}
