// Reads a JSON-LD document, takes it to RDF without asking a server for anything, and compares the graph with
// the shapes beside this file. Writes what it found as JSON.
import { readFileSync } from "node:fs";
import jsonld from "jsonld";
import { Parser, Store } from "n3";
import SHACLValidator from "rdf-validate-shacl";

const read = name => readFileSync(new URL(name, import.meta.url), "utf8");
const document = JSON.parse(readFileSync(0, "utf8"));

// Safe mode fails for each key that stands for nothing, and each relative IRI.
const quads = await jsonld.toRDF(document, {
  format: "application/n-quads",
  safe: true,
  documentLoader: url => { throw new Error(`the document asks for ${url}`); },
});
const graph = new Store(new Parser({ format: "N-Quads" }).parse(quads));
const report = await new SHACLValidator(new Store(new Parser().parse(read("shapes.ttl")))).validate(graph);

const count = type => graph.countQuads(null, "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", `https://w3id.org/dpv#${type}`, null);
process.stdout.write(JSON.stringify({
  quads: graph.size,
  records: count("ConsentRecord"),
  receipts: count("ConsentReceipt"),
  names: [...new Set([...graph].flatMap(q => [q.predicate, q.object]).filter(t => t.termType === "NamedNode").map(t => t.value))].sort(),
  faults: report.results.map(r => [r.focusNode?.value, r.path?.value, r.message.map(m => m.value).join(" "), r.value?.value].join(" ")),
}));
