import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Elements as objects, texts as they are written; attributes as fields where they are wanted. No entity is resolved. */
export function parseXml(content: Buffer, options: { attributes: boolean }): unknown {
  // When it is needed: every thread of a scan would wait for it.
  const { XMLParser } = require("fast-xml-parser") as typeof import("fast-xml-parser");
  const parser = new XMLParser({
    ignoreAttributes: !options.attributes,
    attributeNamePrefix: "",
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: false,
    ignoreDeclaration: true,
  });
  return parser.parse(content);
}
