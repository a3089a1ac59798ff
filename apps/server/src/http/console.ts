import { existsSync } from "node:fs";
import { join } from "node:path";
import files from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal, sendRefusal } from "./problem.ts";

/** The console as Vite built it; where it is not built, a page that says how. */
export async function serveConsole(app: FastifyInstance, folder: string | undefined): Promise<void> {
  const built = folder !== undefined && existsSync(join(folder, "index.html"));
  if (built) {
    await app.register(files, {
      root: folder,
      preCompressed: true,
      // Only what was there at the start is served: every file is a route of its own.
      wildcard: false,
      index: "index.html",
      cacheControl: false,
      setHeaders: (reply, path) => void reply.header("cache-control", cacheControl(path)),
    });
  } else {
    app.get("/", async (_request, reply) => reply.type("text/html; charset=utf-8").send(notBuilt));
  }

  app.setNotFoundHandler((request, reply) => {
    if (!isNavigation(request)) return sendRefusal(reply, new Refusal("not-found", "there is nothing here"));
    if (built) return sendIndex(reply);
    return reply.code(404).type("text/html; charset=utf-8").send(notBuilt);
  });
}

/** Vite writes a hash of the content into the name of everything under `assets/`. */
function cacheControl(path: string): string {
  return /[/\\]assets[/\\]/.test(path) ? "public, max-age=31536000, immutable" : "no-cache";
}

/** A page of the console that the browser asks for by its address. */
function isNavigation(request: FastifyRequest): boolean {
  const path = request.url.replace(/[?#].*$/s, "");
  return (
    request.method === "GET" &&
    !path.startsWith("/api/") &&
    !/\.\w+$/.test(path) &&
    (request.headers.accept ?? "").includes("text/html")
  );
}

function sendIndex(reply: FastifyReply): FastifyReply {
  return reply.header("cache-control", "no-cache").sendFile("index.html");
}

const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Bulwark</title></head>
<body><h1>Bulwark</h1>
<p>The server runs. The console is not built yet; build it once with</p>
<pre>npm run build --workspace @bulwark/console</pre>
<p>and start again. The API answers at <a href="/api/openapi.json">/api/openapi.json</a>.</p>
</body></html>
`;
