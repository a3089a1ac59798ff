import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("deps.json: packages and runtime packs, not the project", () => {
  const text = JSON.stringify({
    libraries: {
      "app/1.0.0": { type: "project" },
      "Newtonsoft.Json/13.0.3": { type: "package", serviceable: true },
      "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.3": { type: "runtimepack" },
    },
  });
  assert.deepEqual(namesAndVersions(inventoryOf({ "app/app.deps.json": text })), [
    "Microsoft.NETCore.App.Runtime.linux-x64 8.0.3",
    "Newtonsoft.Json 13.0.3",
  ]);
});

test("packages.lock.json with its byte order mark, and packages.config", () => {
  const lock = JSON.stringify({
    version: 1,
    dependencies: {
      "net8.0": {
        Serilog: { type: "Direct", requested: "[3.1.1, )", resolved: "3.1.1" },
        own: { type: "Project" },
      },
    },
  });
  assert.deepEqual(namesAndVersions(inventoryOf({ "packages.lock.json": `\uFEFF${lock}` })), ["Serilog 3.1.1"]);
  const config = `<?xml version="1.0" encoding="utf-8"?>
<packages>
  <package id="jQuery" version="3.7.1" targetFramework="net48" />
  <package id="StyleCop" version="1.0" developmentDependency="true" />
</packages>`;
  const { packages } = inventoryOf({ "packages.config": config });
  assert.deepEqual(
    packages.map(({ purl, development }) => [purl, development]),
    [
      ["pkg:nuget/jQuery@3.7.1", false],
      ["pkg:nuget/StyleCop@1.0", true],
    ],
  );
});

test("Directory.Packages.props: exact versions of the whole repository, also those that a property of the file holds", () => {
  const props = `<Project>
  <PropertyGroup><ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally></PropertyGroup>
  <PropertyGroup><Roslyn>4.9.2</Roslyn></PropertyGroup>
  <ItemGroup>
    <PackageVersion Include="Serilog" Version="3.1.1" />
    <PackageVersion Include="Npgsql"><Version>[8.0.2]</Version></PackageVersion>
    <PackageVersion Include="Microsoft.CodeAnalysis" Version="$(Roslyn)" />
    <PackageVersion Include="Range" Version="[1.0, 2.0)" />
    <PackageVersion Include="Elsewhere" Version="$(Unknown)" />
  </ItemGroup>
  <ItemGroup><GlobalPackageReference Include="Nerdbank.GitVersioning" Version="3.6.133" /></ItemGroup>
</Project>`;
  assert.deepEqual(namesAndVersions(inventoryOf({ "Directory.Packages.props": props })), [
    "Microsoft.CodeAnalysis 4.9.2",
    "Nerdbank.GitVersioning 3.6.133",
    "Npgsql 8.0.2",
    "Serilog 3.1.1",
  ]);
});
