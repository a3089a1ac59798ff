import { useTranslation } from "react-i18next";
import { namespaceName, type GroupKind } from "./ends.ts";

/** What a group is called; outside and nodes have words of the language. */
export function useGroupName(): (id: string, kind: GroupKind, clusters: number) => string {
  const { t } = useTranslation();
  return (id, kind, clusters) => (kind === "namespace" ? namespaceName(id, clusters) : t(`network.groups.${kind}`));
}

/** What a node of the map is called, by its id alone. */
export function useNodeName(): (id: string) => string {
  const groupName = useGroupName();
  return (id) => {
    const space = id.indexOf(" ");
    if (space !== -1) return id.slice(space + 1).replace(/^\//, "");
    const kind: GroupKind = id.startsWith("@") ? (id.slice(1) as GroupKind) : id.endsWith("/") ? "bare" : "namespace";
    return groupName(id, kind, 1);
  };
}
