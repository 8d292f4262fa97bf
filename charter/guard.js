// Holds back what scripts set under a name that the visitor has not allowed. guard holds
//
//   cookie, …  what is declared of a kind, in the order of precedence: an expression for the
//              name or the pattern, and the numbers of the needs that have to be met, -1 for
//              what no script may set
//   needs      for each the number of a category, and the mark of a provider; 0 for no
//              objection
//   marks      for each category those of all its providers
//   report     if there is one, it is told of the names, and nothing is held back
const allows = (category, mark) => granted(category, mark) > "e";

// As in script.js and on the server, a provider waits until all of its category have an
// answer, unless it is allowed alone (3).
const isMet = ([category, mark] = []) => allows(category, mark) && (!mark || answers[mark] > 2 || guard.marks[category].every(mark => answers[mark] === 0 || allows(category, mark)));

let seen;
const isHeld = (kind, name) => {
  const [, ...asked] = guard[kind].find(([expression]) => expression.test(name)) ?? [];
  if (asked[0] >= 0 && seen !== (seen = document.cookie)) look(); // the visitor may have decided a moment ago
  return !asked.every(n => isMet(guard.needs[n])) && !guard.report?.(kind, name);
};

// A Proxy in place of a native function has its name and its length.
const replace = (object, key, handler) => {
  const found = object && Object.getOwnPropertyDescriptor(object, key), field = ["value", "set", "get"].find(field => found?.[field]?.call);
  if (field) Object.defineProperty(object, key, {...found, [field]: new Proxy(found[field], handler)});
};

// To some browsers what has no name is a value, and to others a name. The spaces and tabs
// around both are nothing to all of them.
const split = line => line.split(";").map(part => part.split("=").map(s => s.replace(/^[ \t]+|[ \t]+$/g, "")));
const isHeldCookie = ([[name, value]]) => isHeld("cookie", name || value || "") || (!name || value === undefined) && isHeld("cookie", "");

replace(Document.prototype, "cookie", {apply: (set, self, [line]) => {
  const parts = split(line = `${line}`);
  if (isHeldCookie(parts)) {
    let age, date;
    for (const [key, value] of parts) /^max-age$/i.test(key) ? age = value : /^expires$/i.test(key) && (date = value);
    if (/^-?\d+$/.test(age) ? age > 0 : !(new Date(date) < new Date)) return void Reflect.get(Document.prototype, "cookie", self); // throws what the setter would
    line += ";Max-Age=0"; // however a browser reads the rest, it stores nothing
  }
  set.call(self, line);
}});
replace(window.CookieStore?.prototype, "set", {apply: (set, self, args) => {
  const [name, value] = args, init = args.length > 1 ? {name, value} : {...name};
  // To delete what is not there changes nothing.
  if (isHeldCookie(split(init.name + "=" + init.value)) && !(init.expires?.valueOf() < new Date)) args = [{...init, name: init.name && "-", expires: 0}];
  return set.apply(self, args);
}});
