// What script.js and head.js read a decision with.

// Returns the newest decision among the cookies of two names, undefined if there is none.
// Only the server can check its signature. The browser drops a decision at its end: a
// visitor's clock may be wrong. Package internal/decision has the format.
const decode = s => atob(s.replace(/-/g, "+").replace(/_/g, "/"));
const read = (wanted, former) => {
  let newest;
  for (const pair of document.cookie.split("; ")) try {
    const [name, value] = pair.split("="), b = Uint8Array.from(decode(decode(value).split("|")[1]), c => c.charCodeAt());
    let i = 1;
    const number = (c = b[i++]) => c > 127 ? c - 128 + 128 * number() : c;
    const d = {revision: number(), time: number(), objection: b[i] & 1, marks: {}};
    for (i += b[i] & 2 ? 17 : 1; i < b.length; i += 4) {
      const mark = new DataView(b.buffer).getUint32(i);
      d.marks[mark >>> 2] = mark & 3;
    }
    if ((name === wanted || name === former) && b[0] === 1 && !(newest?.time > d.time)) newest = d;
  } catch { /* not a decision */ }
  return newest;
};
