import { deflateSync } from "node:zlib";
import { elfOf, goProgramOf } from "../formats/elf-of.ts";
import { zipOf } from "../formats/zip-of.ts";

/** For each extractor by name: a file that it reads, with at least one package, owner or licence in it. */
export const seeds: Readonly<Record<string, { path: string; content: string | Buffer }>> = {
  dpkg: {
    path: "var/lib/dpkg/status",
    content:
      "Package: libgcc-s1\nStatus: install ok installed\nArchitecture: amd64\nSource: gcc-12 (12.2.0-14)\nVersion: 1:12.2.0-14+b1\nDescription: x\n y\n\nPackage: dash\nStatus: install ok installed\nVersion: 0.5\n",
  },
  "dpkg-files": {
    path: "var/lib/dpkg/info/libc6:amd64.list",
    content: "/.\n/usr\n/usr/bin/node\n/opt/app/package.json\n",
  },
  "dpkg-copyright": {
    path: "usr/share/doc/libc6/copyright",
    content: "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: GPL-2+ and MIT\n",
  },
  apk: {
    path: "lib/apk/db/installed",
    content: "P:curl\nV:8.8.0-r0\nA:x86_64\no:curl\nL:curl AND MIT\nF:usr/bin\nR:curl\n\n",
  },
  "rpm-manifest": {
    path: "var/lib/rpmmanifest/container-manifest-2",
    content:
      "glibc\t2.35-7.cm2\t1699300000\t1698000000\tMicrosoft Corporation\t(none)\t10\tx86_64\t0\tglibc-2.35-7.cm2.src.rpm\n",
  },
  pacman: {
    path: "var/lib/pacman/local/zlib-1.3-1/desc",
    content: "%NAME%\nzlib\n\n%VERSION%\n1:1.3-1\n\n%BASE%\nzlib\n\n%ARCH%\nx86_64\n\n%LICENSE%\nZlib\n\n",
  },
  npm: {
    path: "app/node_modules/@babel/core/package.json",
    content: '{"name":"@babel/core","version":"7.24.0","license":"MIT","licenses":[{"type":"ISC"}]}',
  },
  "npm-lock": {
    path: "app/package-lock.json",
    content:
      '{"lockfileVersion":3,"packages":{"":{"name":"app"},"node_modules/@babel/core":{"version":"7.24.0","license":"(MIT OR Apache-2.0)","dev":true},"node_modules/ms":{"version":"2.1.3"}},"dependencies":{"a":{"version":"npm:b@1.0.0","dependencies":{"c":{"version":"git+ssh://x#abc"}}}}}',
  },
  yarn: {
    path: "app/yarn.lock",
    content:
      '# yarn lockfile v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.24.0"\n  resolved "https://x"\n\nlodash@^4:\n  version: 4.17.21\n  resolution: "lodash@npm:4.17.21"\n  linkType: hard\n',
  },
  pnpm: {
    path: "app/pnpm-lock.yaml",
    content:
      "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      debug:\n        specifier: ^4\n        version: 4.3.4\npackages:\n  debug@4.3.4:\n    resolution: {integrity: sha512-x}\n  '@a/b@1.0.0(c@2.0.0)':\n    dev: true\nsnapshots:\n  debug@4.3.4: {}\n",
  },
  bun: {
    path: "app/bun.lock",
    content:
      '{\n  "lockfileVersion": 1,\n  "workspaces": { "": { "dependencies": { "debug": "^4", }, }, },\n  "packages": {\n    "debug": ["debug@4.3.4", "", { "dependencies": { "ms": "2.1.2" } }, "sha512-x"],\n    "debug/ms": ["ms@2.1.2", "", {}, "y"],\n  }\n}\n',
  },
  python: {
    path: "usr/lib/python3/site-packages/flask.dist-info/METADATA",
    content:
      "Metadata-Version: 2.1\nName: Flask_SQLAlchemy\nVersion: 3.1.1\nClassifier: License :: OSI Approved :: BSD License\nLicense: BSD\n x\n\nText\n",
  },
  "python-requirements": {
    path: "app/requirements.txt",
    content: "flask[async]==3.0.2 ; python_version > '3'\n-r other.txt\nrequests === 2.31.0 --hash=sha256:x\n",
  },
  poetry: {
    path: "app/poetry.lock",
    content:
      '[[package]]\nname = "flask"\nversion = "3.0.2"\ngroups = ["main"]\n[package.source]\ntype = "legacy"\n[[package]]\nname = "pytest"\nversion = "8"\ncategory = "dev"\n',
  },
  pipenv: {
    path: "app/Pipfile.lock",
    content: '{"default":{"flask":{"version":"==3.0.2"}},"develop":{"pytest":{"version":"===8.0"}}}',
  },
  uv: {
    path: "app/uv.lock",
    content:
      'version = 1\n[[package]]\nname = "app"\nversion = "0.1"\nsource = { editable = "." }\ndependencies = [{ name = "flask" }]\n[[package]]\nname = "flask"\nversion = "3.0.2"\nsource = { registry = "https://pypi.org/simple" }\n',
  },
  pdm: { path: "app/pdm.lock", content: '[[package]]\nname = "flask"\nversion = "3.0.2"\ngroups = ["default"]\n' },
  pylock: {
    path: "app/pylock.toml",
    content: 'lock-version = "1.0"\n[[packages]]\nname = "flask"\nversion = "3.0.2"\n',
  },
  conda: {
    path: "opt/conda/conda-meta/numpy-1.26.json",
    content: '{"name":"numpy","version":"1.26.4","license":"BSD-3-Clause","subdir":"linux-64"}',
  },
  "conda-lock": {
    path: "app/conda-lock.yml",
    content:
      "package:\n- name: numpy\n  version: 1.26.4\n  manager: conda\n  category: main\n- {name: flask, version: '3.0', manager: pip}\n",
  },
  "go-binary": {
    path: "usr/bin/app",
    content: goProgramOf(
      "go1.22.1 X:nocoverageredesign",
      'path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\tgolang.org/x/net\tv0.17.0\th1:x=\n=>\texample.com/new\tv1.1.0\th1:y=\nbuild\t-ldflags="-X main.version=2.3.4"',
    ),
  },
  "go-mod": {
    path: "app/go.mod",
    content:
      "module example.com/app\ngo 1.21\ntoolchain go1.22.1\nrequire (\n\tgolang.org/x/net v0.17.0 // indirect\n)\nreplace golang.org/x/net v0.17.0 => example.com/net v1.0.0\n",
  },
  "go-sum": { path: "app/go.sum", content: "golang.org/x/net v0.17.0 h1:x=\ngolang.org/x/net v0.17.0/go.mod h1:y=\n" },
  "rust-binary": {
    path: "usr/bin/app",
    content: elfOf({
      ".dep-v0": deflateSync('{"packages":[{"name":"serde","version":"1.0.197","source":"crates.io","kind":"build"}]}'),
    }),
  },
  "cargo-lock": {
    path: "app/Cargo.lock",
    content:
      'version = 3\n[[package]]\nname = "serde"\nversion = "1.0.197"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
  },
  jar: {
    path: "opt/app.war",
    content: zipOf({
      "WEB-INF/lib/commons-text-1.9.jar": zipOf({
        "META-INF/maven/org.apache.commons/commons-text/pom.properties":
          "groupId=org.apache.commons\nartifactId=commons-text\nversion=1.9\n",
      }),
      "META-INF/MANIFEST.MF":
        "Manifest-Version: 1.0\r\nImplementation-Title: app\r\nImplementation-Version: 1.\r\n 2\r\n",
    }),
  },
  pom: {
    path: "app/pom.xml",
    content:
      "<?xml version='1.0'?><project xmlns='x'><groupId>a</groupId><properties><v>1.0</v></properties><dependencies><dependency><groupId>org.x</groupId><artifactId>y</artifactId><version>${v}</version><scope>test</scope></dependency></dependencies></project>",
  },
  gradle: { path: "app/gradle.lockfile", content: "# x\norg.x:y:1.0=compileClasspath,testRuntimeClasspath\nempty=\n" },
  gem: {
    path: "usr/lib/ruby/specifications/rack-3.0.9.gemspec",
    content:
      'Gem::Specification.new do |s|\n  s.name = "rack".freeze\n  s.version = "3.0.9"\n  s.licenses = ["MIT".freeze]\nend\n',
  },
  "gemfile-lock": {
    path: "app/Gemfile.lock",
    content:
      "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (3.0.9)\n    nokogiri (1.16.2-x86_64-linux)\n\nPLATFORMS\n  ruby\n",
  },
  composer: {
    path: "app/vendor/composer/installed.json",
    content:
      '{"packages":[{"name":"Monolog/monolog","version":"3.5.0","license":["MIT"]}],"dev-package-names":["monolog/monolog"]}',
  },
  "composer-lock": {
    path: "app/composer.lock",
    content: '{"packages":[{"name":"monolog/monolog","version":"v3.5.0"}],"packages-dev":[]}',
  },
  "dotnet-deps": {
    path: "app/app.deps.json",
    content: '{"libraries":{"Newtonsoft.Json/13.0.3":{"type":"package"},"runtimepack.X/8.0.2":{"type":"runtimepack"}}}',
  },
  "nuget-lock": {
    path: "app/packages.lock.json",
    content: '{"dependencies":{"net8.0":{"Serilog":{"type":"Direct","resolved":"3.1.1"}}}}',
  },
  "nuget-central": {
    path: "app/Directory.Packages.props",
    content:
      '<Project><PropertyGroup><S>3.1</S></PropertyGroup><ItemGroup><PackageVersion Include="Serilog" Version="$(S).1"/></ItemGroup></Project>',
  },
  "nuget-config": {
    path: "app/packages.config",
    content:
      '<?xml version="1.0"?><packages><package id="Serilog" version="3.1.1" developmentDependency="true"/></packages>',
  },
  pub: {
    path: "app/pubspec.lock",
    content: 'packages:\n  http:\n    dependency: "direct dev"\n    source: hosted\n    version: "1.2.0"\n',
  },
  mix: { path: "app/mix.lock", content: '%{\n  "plug": {:hex, :plug, "1.15.2", "x", [:mix], [], "hexpm", "y"},\n}\n' },
  swift: {
    path: "app/Package.resolved",
    content:
      '{"pins":[{"identity":"nio","location":"https://github.com/apple/swift-nio.git","state":{"version":"2.62.0"}}],"version":2}',
  },
  r: {
    path: "usr/lib/R/library/ggplot2/DESCRIPTION",
    content: "Package: ggplot2\nVersion: 3.5.0\nLicense: MIT + file LICENSE\nBuilt: R 4.3.2\n",
  },
  renv: { path: "app/renv.lock", content: '{"Packages":{"ggplot2":{"Package":"ggplot2","Version":"3.5.0"}}}' },
  bitnami: {
    path: "opt/bitnami/redis/.spdx-redis.spdx",
    content:
      '{"packages":[{"licenseConcluded":"BSD-3-Clause","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:bitnami/redis@7.2.4-0?arch=amd64&distro=debian-12"}]}]}',
  },
  "java-runtime": {
    path: "opt/java/release",
    content: 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="17.0.10"\nOS_ARCH="x86_64"\n',
  },
  "go-toolchain": { path: "usr/local/go/VERSION", content: "go1.22.1\ntime 2024-02-29T18:18:48Z\n" },
  program: {
    path: "bin/busybox",
    content: elfOf({ ".rodata": Buffer.from("x\0BusyBox v1.36.1 (2023-11-07 18:53:09 UTC)\0y") }),
  },
};
