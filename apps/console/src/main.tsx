import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient, whenLoggedOut } from "./api/query-client.ts";
import { end } from "./features/session/session.ts";
import { startTranslations } from "./i18n/index.ts";
import { router } from "./router.tsx";
import { cssVariables, theme } from "./theme.ts";
import "./mantine.css";
import "./app.css";

whenLoggedOut(() => {
  const { pathname, href } = router.state.location;
  if (pathname === "/login") return;
  end();
  void router.navigate({ to: "/login", search: { next: href } });
});

await startTranslations();
const root = document.querySelector("#root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
