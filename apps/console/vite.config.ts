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
    rolldownOptions: {
      output: {
        // A few files that every page, or every list, needs, instead of many small ones.
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            {
              name: "lists",
              test: /src\/(?:ui\/(?:data-table|filters|size)|api\/(?:live-list|use-refreshed))\.|@tanstack\/(?:react-table|table-core|react-virtual|virtual-core)/,
              priority: 2,
            },
            {
              name: "framework",
              test: /node_modules\/(?:react|react-dom|scheduler|i18next|react-i18next|@tanstack\/(?:react-router|router-core|history|react-query|query-core|react-store|store))\//,
              priority: 1,
            },
            {
              name: "parts",
              test: /@mantine\/(?:core|hooks)\/(?!.*(?:Modal|SegmentedControl|Textarea|PasswordInput|ScrollArea|color-scheme))/,
              priority: 1,
            },
            {
              name: "shared",
              test: /src\/(?:ui|api|shell\/(?!palette|keys|not-found)|i18n\/(?!.*\.json)|search|theme)/,
              priority: 1,
            },
          ],
        },
      },
    },
  },
  server: {
    // `npm run dev --workspace @bulwark/console` beside a running server.
    proxy: { "/api": process.env["BULWARK_URL"] ?? "http://127.0.0.1:8443" },
  },
});
