import type { Extractor } from "../extractor.ts";
import { apk } from "./apk.ts";
import { bitnami } from "./bitnami.ts";
import { bun } from "./bun.ts";
import { composerInstalled, composerLock } from "./composer.ts";
import { conda, condaLock } from "./conda.ts";
import { pub } from "./dart.ts";
import { dotnetDeps, nugetCentral, nugetConfig, nugetLock } from "./dotnet.ts";
import { dpkg, dpkgCopyright, dpkgFiles } from "./dpkg.ts";
import { mix } from "./elixir.ts";
import { goBinary } from "./go-binary.ts";
import { goMod, goSum } from "./go-mod.ts";
import { jar } from "./jar.ts";
import { goToolchain, javaRuntime } from "./toolchains.ts";
import { gradle, pom } from "./maven.ts";
import { npmInstalled, npmLock } from "./npm.ts";
import { pacman } from "./pacman.ts";
import { pnpm } from "./pnpm.ts";
import { programBinary } from "./programs.ts";
import { pythonInstalled } from "./python-installed.ts";
import { pdm, pipenv, poetry, pylock, requirements, uv } from "./python-locks.ts";
import { rDescription, renv } from "./r.ts";
import { rpm, rpmManifest } from "./rpm.ts";
import { gemfileLock, gemspec } from "./ruby.ts";
import { cargoLock, rustBinary } from "./rust.ts";
import { swift } from "./swift.ts";
import { yarn } from "./yarn.ts";

/** Every extractor there is. */
export const extractors: readonly Extractor[] = [
  // Distributions
  ...[dpkg, dpkgFiles, dpkgCopyright, apk, rpm, rpmManifest, pacman],
  // Languages
  ...[npmInstalled, npmLock, yarn, pnpm, bun],
  ...[pythonInstalled, requirements, poetry, pipenv, uv, pdm, pylock, conda, condaLock],
  ...[goBinary, goMod, goSum],
  ...[rustBinary, cargoLock],
  ...[jar, pom, gradle],
  ...[gemspec, gemfileLock],
  ...[composerInstalled, composerLock],
  ...[dotnetDeps, nugetLock, nugetConfig, nugetCentral],
  ...[pub, mix, swift],
  ...[rDescription, renv],
  // Without a package manager
  ...[bitnami, javaRuntime, goToolchain, programBinary],
];
