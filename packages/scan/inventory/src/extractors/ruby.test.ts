import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("Gemfile.lock: gems and git, without platforms and the project's own", () => {
  const text = `GIT
  remote: https://github.com/x/y.git
  revision: 0123
  specs:
    y (0.1.0)

PATH
  remote: .
  specs:
    mine (0.0.1)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.16.2-x86_64-linux)
      racc (~> 1.4)
    racc (1.7.3)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  nokogiri (~> 1.16)
`;
  assert.deepEqual(namesAndVersions(inventoryOf({ "Gemfile.lock": text })), [
    "nokogiri 1.16.2",
    "racc 1.7.3",
    "y 0.1.0",
  ]);
});

test("installed gems with their licences", () => {
  const text = `# -*- encoding: utf-8 -*-
Gem::Specification.new do |s|
  s.name = "rake".freeze
  s.version = "13.0.6"
  s.licenses = ["MIT".freeze]
end
`;
  const { packages } = inventoryOf({ "usr/lib/ruby/gems/3.1.0/specifications/rake-13.0.6.gemspec": text });
  assert.deepEqual(
    packages.map(({ purl, licences }) => [purl, licences]),
    [["pkg:gem/rake@13.0.6", ["MIT"]]],
  );
});
