import type { AlertState } from "@bulwark/model";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client.ts";

interface Change {
  id: string;
  state: AlertState;
  comment?: string;
}

/** The lists hear of the change from the stream, as every other open page does. */
export function useUpdateAlert() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, ...body }: Change) => api.updateAlert({ params: { id }, body }),
    onSuccess: (alert) => client.setQueryData(["alert", alert.id], alert),
  });
}
