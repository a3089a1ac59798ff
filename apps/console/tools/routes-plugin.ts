import type { Plugin } from "vite";

const name = "virtual:routes";
const resolved = `\0${name}`;

/**
 * `import { table } from "virtual:routes"`: method and path of every route of the API, read from the contract at build
 * time, so that its schemas (and zod) stay out of the bundle.
 */
export function routesPlugin(): Plugin {
  return {
    name: "bulwark-routes",
    resolveId: (id) => (id === name ? resolved : undefined),
    async load(id) {
      if (id !== resolved) return undefined;
      const { routes } = await import("@bulwark/contract");
      const table = Object.entries(routes).map(([key, { method, path }]) => [key, { method, path }]);
      return `export const table = ${JSON.stringify(Object.fromEntries(table))};`;
    },
  };
}
