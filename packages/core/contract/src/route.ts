import type { z } from "zod";

/** One operation of the HTTP API, as data: the server registers it, the document describes it, the client calls it. */
export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/api/v1/alerts/{id}` */
  path: string;
  summary: string;
  tag: string;
  /** Who may call it. `read` and `write` take a session or a token; `agent` a node's own credential, `audit` that of a cluster's API server. */
  access: "public" | "read" | "write" | "agent" | "audit";
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** Body of the answer with status 200. Absent: 204. */
  response?: z.ZodType;
}

export type Params<R extends Route> = R extends { params: infer P extends z.ZodType } ? z.infer<P> : undefined;
export type Query<R extends Route> = R extends { query: infer Q extends z.ZodType } ? z.input<Q> : undefined;
export type Body<R extends Route> = R extends { body: infer B extends z.ZodType } ? z.infer<B> : undefined;
export type Response<R extends Route> = R extends { response: infer A extends z.ZodType } ? z.infer<A> : undefined;
