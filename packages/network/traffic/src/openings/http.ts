import type { Protocol } from "./opening.ts";

const request = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) \S+ HTTP\/1\.[01]\r?\n/;
const preface = "PRI * HTTP/2.0\r\n";
/** RFC 7617, RFC 6750: whoever reads it has it. */
const authorization = /\r?\n(?:proxy-)?authorization: *(?:basic|bearer) +\S/i;

/** RFC 9112 section 3, RFC 9113 section 3.4. */
export const http: Protocol = {
  read(bytes, fromClient) {
    if (!fromClient) return bytes.toString("latin1", 0, 7) === "HTTP/1." ? { clear: "http" } : undefined;
    const text = bytes.toString("latin1");
    if (!request.test(text) && !text.startsWith(preface)) return undefined;
    return { clear: "http", credential: authorization.test(text) };
  },
};
