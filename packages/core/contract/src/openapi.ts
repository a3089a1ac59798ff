import { z } from "zod";
import type { Route } from "./route.ts";
import { problem, routes } from "./routes.ts";

/** The API as an OpenAPI 3.1 document. */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(name, route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Bulwark", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "bulwark_session" },
        token: { type: "http", scheme: "bearer" },
      },
      schemas: { Problem: schema(problem, "output") },
    },
  };
}

function operation(name: string, route: Route): object {
  const answer = { "application/json": { schema: route.response && schema(route.response, "output") } };
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.tag],
    security:
      route.access === "public"
        ? []
        : route.access === "agent" || route.access === "audit"
          ? [{ token: [] }]
          : [{ session: [] }, { token: [] }],
    parameters: [...parameters(route.params, "path"), ...parameters(route.query, "query")],
    ...(route.body && {
      requestBody: { required: true, content: { "application/json": { schema: schema(route.body, "input") } } },
    }),
    responses: {
      ...(route.response ? { 200: { description: "Done", content: answer } } : { 204: { description: "Done" } }),
      default: {
        description: "Refused or failed",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function parameters(object: z.ZodObject | undefined, place: "path" | "query"): object[] {
  return Object.entries(object?.shape ?? {}).map(([name, type]) => ({
    name,
    in: place,
    required: place === "path",
    schema: schema(type as z.ZodType, "input"),
  }));
}

function schema(type: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(type, { io, unrepresentable: "any" });
  return rest;
}
