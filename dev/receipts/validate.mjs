// Reads a list of JSON-LD documents, takes each to RDF without asking a server for anything, and compares the
// graph with the shapes beside this file. Writes a list of what it found as JSON.
import { readFileSync } from "node:fs";
import jsonld from "jsonld";
import { Parser, Store } from "n3";
import SHACLValidator from "rdf-validate-shacl";

const shapes = readFileSync(new URL("shapes.ttl", import.meta.url), "utf8");
const validator = new SHACLValidator(new Store(new Parser().parse(shapes)));

async function check(document) {
  // Safe mode fails for each key that stands for nothing, and each relative IRI.
  const quads = await jsonld.toRDF(document, {
    format: "application/n-quads",
    safe: true,
    documentLoader: url => { throw new Error(`the document asks for ${url}`); },
  });
  const graph = new Store(new Parser({ format: "N-Quads" }).parse(quads));
  const report = await validator.validate(graph);
  const count = type => graph.countQuads(null, "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", `https://w3id.org/dpv#${type}`, null);
  return {
    records: count("ConsentRecord"),
    receipts: count("ConsentReceipt"),
    names: [...new Set([...graph].flatMap(q => [q.predicate, q.object]).filter(t => t.termType === "NamedNode").map(t => t.value))].sort(),
    faults: report.results.map(r => [r.focusNode?.value, r.path?.value, r.message.map(m => m.value).join(" "), r.value?.value].join(" ")),
  };
}

process.stdout.write(JSON.stringify(await Promise.all(JSON.parse(readFileSync(0, "utf8")).map(check))));
