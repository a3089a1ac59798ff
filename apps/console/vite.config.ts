import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { budgetPlugin } from "./tools/budget-plugin.ts";
import { compressPlugin } from "./tools/compress-plugin.ts";
import { routesPlugin } from "./tools/routes-plugin.ts";

export default defineConfig({
  plugins: [react(), routesPlugin(), budgetPlugin(), compressPlugin()],
  build: {
    target: "es2023",
    // Everything from files: the policy of the pages has no room for data in scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev --workspace @bulwark/console` beside a running server.
    proxy: { "/api": process.env["BULWARK_URL"] ?? "http://127.0.0.1:8443" },
  },
});
