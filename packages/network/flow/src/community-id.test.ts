import assert from "node:assert/strict";
import { test } from "node:test";
import { communityId } from "./community-id.ts";

/** Published by the authors of the specification: corelight/pycommunityid, tests/communityid_test.py. */
const published: [
  from: string,
  to: string,
  fromPort: number,
  toPort: number,
  protocol: number,
  plain: string,
  seeded: string,
][] = [
  ["192.168.0.89", "192.168.0.1", 8, 0, 1, "X0snYXpgwiv9TZtqg64sgzUn6Dk=", "03g6IloqVBdcZlPyX8r0hgoE7kA="],
  ["192.168.0.1", "192.168.0.89", 0, 8, 1, "X0snYXpgwiv9TZtqg64sgzUn6Dk=", "03g6IloqVBdcZlPyX8r0hgoE7kA="],
  ["192.168.0.89", "192.168.0.1", 20, 0, 1, "3o2RFccXzUgjl7zDpqmY7yJi8rI=", "lCXHHxavE1Vq3oX9NH5ladQg02o="],
  ["192.168.0.89", "192.168.0.1", 20, 1, 1, "tz/fHIDUHs19NkixVVoOZywde+I=", "Ie3wmFyxiEyikbsbcO03d2nh+PM="],
  ["192.168.0.1", "192.168.0.89", 0, 20, 1, "X0snYXpgwiv9TZtqg64sgzUn6Dk=", "03g6IloqVBdcZlPyX8r0hgoE7kA="],
  [
    "fe80::200:86ff:fe05:80da",
    "fe80::260:97ff:fe07:69ea",
    135,
    0,
    58,
    "dGHyGvjMfljg6Bppwm3bg0LO8TY=",
    "kHa1FhMYIT6Ym2Vm2AOtoOARDzY=",
  ],
  [
    "fe80::260:97ff:fe07:69ea",
    "fe80::200:86ff:fe05:80da",
    136,
    0,
    58,
    "dGHyGvjMfljg6Bppwm3bg0LO8TY=",
    "kHa1FhMYIT6Ym2Vm2AOtoOARDzY=",
  ],
  [
    "3ffe:507:0:1:260:97ff:fe07:69ea",
    "3ffe:507:0:1:200:86ff:fe05:80da",
    3,
    0,
    58,
    "NdobDX8PQNJbAyfkWxhtL2Pqp5w=",
    "OlOWx9psIbBFi7lOCw/4MhlKR9M=",
  ],
  [
    "3ffe:507:0:1:200:86ff:fe05:80da",
    "3ffe:507:0:1:260:97ff:fe07:69ea",
    3,
    0,
    58,
    "/OGBt9BN1ofenrmSPWYicpij2Vc=",
    "Ij4ZxnC87/MXzhOjvH2vHu7LRmE=",
  ],
  ["192.168.170.8", "192.168.170.56", 7, 80, 132, "jQgCxbku+pNGw8WPbEc/TS/uTpQ=", "Y1/0jQg6e+I3ZwZZ9LP65DNbTXU="],
  ["192.168.170.56", "192.168.170.8", 80, 7, 132, "jQgCxbku+pNGw8WPbEc/TS/uTpQ=", "Y1/0jQg6e+I3ZwZZ9LP65DNbTXU="],
  ["128.232.110.120", "66.35.250.204", 34855, 80, 6, "LQU9qZlK+B5F3KDmev6m5PMibrg=", "3V71V58M3Ksw/yuFALMcW0LAHvc="],
  ["66.35.250.204", "128.232.110.120", 80, 34855, 6, "LQU9qZlK+B5F3KDmev6m5PMibrg=", "3V71V58M3Ksw/yuFALMcW0LAHvc="],
  ["10.0.0.1", "10.0.0.2", 10, 11569, 6, "SXBGMX1lBOwhhoDrZynfROxnhnM=", "HmBRGR+fUyXF4t8WEtal7Y0gEAo="],
  ["192.168.1.52", "8.8.8.8", 54585, 53, 17, "d/FP5EW3wiY1vCndhwleRRKHowQ=", "Q9We8WO3piVF8yEQBNJF4uiSVrI="],
  ["8.8.8.8", "192.168.1.52", 53, 54585, 17, "d/FP5EW3wiY1vCndhwleRRKHowQ=", "Q9We8WO3piVF8yEQBNJF4uiSVrI="],
];

test("the published identities, with and without a seed", () => {
  for (const [from, to, fromPort, toPort, protocol, plain, seeded] of published) {
    const tuple = { from, to, fromPort, toPort, protocol };
    assert.equal(communityId(tuple), `1:${plain}`, JSON.stringify(tuple));
    assert.equal(communityId(tuple, 1), `1:${seeded}`, JSON.stringify(tuple));
  }
});

test("a protocol without ports", () => {
  for (const [from, to] of [
    ["10.1.24.4", "10.1.12.1"],
    ["10.1.12.1", "10.1.24.4"],
  ] as const) {
    assert.equal(communityId({ from, to, protocol: 46 }), "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=");
  }
});

test("what is no address has no identity", () => {
  for (const from of ["", "pod", "fe80::1%eth0", "1.2.3"]) {
    assert.equal(communityId({ from, to: "10.0.0.1", fromPort: 1, toPort: 2, protocol: 6 }), undefined);
  }
});
