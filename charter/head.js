// Tells the tags of a page what its visitor has decided: before any of them runs, so that
// it stands first in the head, and again whenever the decision changes. It is a function of
//
//   cookies   patterns that find the values of the visitor's cookie: by its name, and by the
//             former one, which counts if there is no decision under the name
//   revision  of the declarations
//   signals   for each tag a function that tells it: of granted, whether it is the first
//             time, and the answers by mark
//   law       a digit for each category: 2 if a yes that a law had ticked counts for this
//             visitor, 4 if the law also presumes one; "" if there is nothing to know but
//             the decision
//
// It has to be small, and so reads the decision in its own way. As in script.js, the newest
// counts; only the server can check its signature. Package internal/decision has the format.
if (document.charter) return; // a page holds it twice, or Turbo runs it again
document.charter = signals; // script.js takes them away from a page that leaves
let answers = [], last = law,
  decode = s => atob(s.replace(/-/g, "+").replace(/_/g, "/")),

  // Says whether all of these marks of a category are allowed: by an answer, 1 or 3, or by a
  // law, if it counts what was ticked (2), or what is open (4). The mark 0 stands for no
  // objection.
  granted = (category, ...marks) => marks.every(mark => (mark = answers[mark] ?? 4) & 1 || law[category] >= (mark || 9)) ? "granted" : "denied",

  say = isFirst => signals.forEach(tell => {
    try { tell(granted, isFirst, answers); } catch (error) { reportError(error); } // the next is told all the same
  }),

  // Each decision has a time of its own. One of another version or an old revision counts as
  // one that answers nothing. A reference, which is random, is read as four marks: that one
  // of them is a provider's is as unlikely as two providers with one mark.
  look = () => {
    let newest = 0;
    answers = [1];
    for (let cookie of cookies) for (let [, value] of newest ? [] : document.cookie.matchAll(cookie)) try {
      let b = decode(decode(value).split("|")[1]), i = 0,
        next = () => b.charCodeAt(i++), number = (c = next()) => c > 127 ? c - 128 + 128 * number() : c,
        counts = number() < 2 & number() >= revision, time = number(), found = [~number() & 1];
      while (counts && i < b.length) {
        let mark = next() << 24 | next() << 16 | next() << 8 | next();
        found[mark >>> 2] = mark & 3;
      }
      if (time > newest) newest = time, answers = found;
    } catch { /* not a decision */ }
    if (newest != last) last = newest, say();
  };

// What a page hears first is what holds without an answer; what is known follows at once.
say(true);
look();
addEventListener("consent", look, true);
addEventListener("visibilitychange", look, true); // without script.js, a page that comes back
