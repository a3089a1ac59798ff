import { quoted, type Check } from "../check.ts";
import { isSet, items, text, type Fields } from "../pod.ts";

const allowed = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

/**
 * Storage of the cluster only, no path of the node and no server of one's choice. A volume of no type is an emptyDir
 * (SetDefaults_Volume); of a type that is not known here, it is refused.
 */
export const restrictedVolumes: Check = {
  id: "restrictedVolumes",
  level: "restricted",
  versions: [
    {
      from: 0,
      test({ spec }) {
        const bad = items(spec["volumes"]).filter((volume) => typesOf(volume).some((type) => !allowed.has(type)));
        if (bad.length === 0) return null;
        const names = `${bad.length === 1 ? "volume" : "volumes"} ${quoted(bad.map(({ name }) => text(name)))}`;
        return {
          reason: "restricted volume types",
          detail: `${names} must not be of type ${quoted(bad.flatMap(typesOf))}`,
        };
      },
    },
  ],
};

function typesOf(volume: Fields): string[] {
  return Object.keys(volume).filter((key) => key !== "name" && isSet(volume[key]));
}
