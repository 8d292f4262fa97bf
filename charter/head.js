// Tells the tags of a page what its visitor has decided: before any of them runs, so that
// it stands first in the head, and again whenever the decision changes. Before it stands
// decode.js. It is a function of
//
//   cookie, former  the name of the visitor's cookie, and the one that it had
//   revision        of the declarations
//   needs           what tags may need: a category, or one provider of it. Each is the number
//                   of the category, then the marks that have to say yes (0 says that nobody
//                   has objected), and, negative, those that only need an answer
//   signals         for each tag a function that tells it, and one that returns what its
//                   words amount to, given what is granted of the needs
//   law             a digit for each category: 1 if a yes that a law had ticked counts for
//                   this visitor, 2 if the law also presumes one; it comes with the tag,
//                   or in the file

// As in script.js and on the server, a provider waits until all of its category have an
// answer, unless it is allowed alone (3); what nobody has answered for (4) is allowed if
// the law presumes it, and so is what a law had ticked (2).
let granted, last;
const look = () => {
  const d = read(cookie, former), answers = {...d?.revision >= revision && d.marks, 0: !d?.objection}, before = last;
  granted = needs.map(([category, ...marks]) => marks.every(mark => {
    const answer = answers[Math.abs(mark)] ?? 4;
    return answer & 1 || law?.[category] * 2 >= (answer || 9) || mark < 0 && (!answer || answers[marks[0]] === 3);
  }));
  last = (d || law || before) && granted.join();
  if (last !== before) say();
};

// What a page hears first is that nothing is allowed; what is known follows at once.
const say = isFirst => signals.forEach(([tell, words]) => {
  try { tell(words(granted), isFirst); } catch (error) { reportError(error); } // and the next is told all the same
});
granted = [];
say(true);
look();
["consent", "pageshow", "visibilitychange"].forEach(type => addEventListener(type, look, true));
