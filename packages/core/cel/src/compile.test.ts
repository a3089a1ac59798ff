import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  Authorizer,
  CelError,
  compile,
  estimateCost,
  formatError,
  kubernetesEnvironment,
  objectType,
  parseType,
  toJson,
  type AccessQuestion,
} from "./index.ts";

const environment = kubernetesEnvironment({ variables: { object: "dyn", s: "string", l: "list<string>" } });

function evaluate(expression: string, object: unknown = {}): unknown {
  return toJson(compile(expression, environment).evaluate({ object, s: "", l: [] }));
}

describe("data from JSON", () => {
  test("names of JavaScript's own are no fields", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty", "valueOf"]) {
      assert.equal(evaluate(`has(object.${name})`), false);
      assert.equal(evaluate(`"${name}" in object`), false);
      assert.throws(() => evaluate(`object.${name}`), /no such key/);
    }
    assert.equal(evaluate(`object["__proto__"].polluted`, JSON.parse('{"__proto__":{"polluted":true}}')), true);
    assert.throws(() => evaluate(`object["__proto__"]`), /no such key/);
  });

  test("whole numbers are integers, others doubles, and both compare", () => {
    assert.equal(evaluate("type(object.a) == int && type(object.b) == double", { a: 1, b: 1.5 }), true);
    assert.equal(evaluate("object.a < object.b && object.a + 1 == 2", { a: 1, b: 1.5 }), true);
    assert.equal(evaluate("object.a / 2", { a: 2 ** 52 + 1 }), (2 ** 52 + 0) / 2);
  });
});

describe("what is quick is the same", () => {
  test("characters are counted, however long a text is", () => {
    const texts: [text: string, size: number][] = [
      ["😀".repeat(4), 4],
      ["😀".repeat(40), 40],
      [`${"a".repeat(30)}😀`, 31],
      ["\ud83d".repeat(20), 20],
      ["\ude00\ud83d".repeat(20), 21],
      ["ä".repeat(40), 40],
    ];
    for (const [text, size] of texts) assert.equal(evaluate("size(object.a)", { a: text }), size, JSON.stringify(text));
  });

  test("a pattern tells many texts apart, whether it has met them before or not", () => {
    const program = compile("object.a.matches('^a+$') && !object.a.matches('aaa$')", environment);
    for (const _ of [1, 2]) {
      for (let length = 0; length < 300; length++) {
        const a = "a".repeat(length % 2 === 0 ? length % 4 : length);
        assert.equal(program.evaluate({ object: { a } }), a.length > 0 && a.length < 3);
      }
    }
  });

  test("a list that is written out is made once, and nobody can change it", () => {
    const list = compile("['a', 'b']", environment).evaluate({}) as string[];
    assert.deepEqual(list, ["a", "b"]);
    assert.throws(() => list.push("c"), TypeError);
    assert.throws(() => evaluate("{'a': 1, 'a': 2}"), /twice/);
  });

  test("a value without a field is told as exactly in a row of fields as in one", () => {
    const cost = (expression: string, object: unknown): number => {
      let spent = -1;
      try {
        compile(expression, environment).evaluate({ object }, { spent: (it) => (spent = it) });
      } catch (error) {
        assert.ok(error instanceof CelError);
      }
      return spent;
    };
    assert.equal(cost("object.a.b.c", { a: { b: { c: 1 } } }), 4);
    assert.equal(cost("object.a.b.c", { a: {} }), 3);
    assert.equal(cost("object.?a.?b.?c.hasValue()", { a: { b: {} } }), 4);
    assert.equal(cost("object.?a.?b.?c.hasValue()", {}), 2);
    assert.equal(evaluate("object.?a.b.c.orValue(7)", { a: {} }), 7);
    assert.throws(() => evaluate("object.?a.b.c.orValue(7)", { a: { b: 1 } }), /no such field 'c': a int has none/);
  });
});

describe("errors say where", () => {
  const cases: [expression: string, text: string][] = [
    ["object.a &&", `1:12: the end where an expression should be\n  | object.a &&\n  |            ^`],
    ["1 +\n 'a'", `1:3: found no matching overload for '_+_' applied to '(int, string)'\n  | 1 +\n  |   ^`],
    ["ob.a", `1:1: undeclared reference to 'ob'\n  | ob.a\n  | ^`],
    ["'x", `1:1: a string does not end\n  | 'x\n  | ^`],
    ["s.matches('(')", ""],
  ];
  for (const [expression, text] of cases) {
    test(JSON.stringify(expression), () => {
      try {
        compile(expression, environment);
        assert.fail("compiled");
      } catch (error) {
        assert.ok(error instanceof CelError);
        if (text !== "") assert.equal(formatError(error, expression), text);
        assert.ok(error.offset !== undefined);
      }
    });
  }

  test("at run time too", () => {
    const program = compile("object.spec.replicas > 1", environment);
    assert.throws(
      () => program.evaluate({ object: { spec: {} }, s: "", l: [] }),
      (error) => error instanceof CelError && error.message === "no such key: replicas" && error.offset === 11,
    );
  });
});

describe("bounds", () => {
  test("an expression that goes on for too long is stopped, and no || takes that in", () => {
    const list = Array.from({ length: 1000 }, (_, index) => index);
    const program = compile("object.l.all(a, object.l.all(b, object.l.all(c, c >= 0))) || true", environment);
    assert.throws(
      () => program.evaluate({ object: { l: list } }),
      (error) => error instanceof CelError && error.code === "cost",
    );
  });

  test("a long chain and deep nesting", () => {
    assert.equal(evaluate(Array(5000).fill("true").join(" && ")), true);
    assert.throws(() => evaluate("(".repeat(1000) + "1" + ")".repeat(1000)), /nested deeper/);
    assert.throws(() => evaluate("[".repeat(100_000)), /longer|nested/);
    assert.throws(() => evaluate("1" + "+1".repeat(15_000)), CelError);
    assert.throws(() => evaluate("!".repeat(30_000) + "true && " + "a.b".repeat(20_000)), CelError);
  });

  test("no input makes it fail in another way than it says", () => {
    const part = fc.constantFrom(
      ...[
        "object",
        "s",
        "l",
        ".",
        "?",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ",",
        ":",
        "1",
        "1u",
        "1.5",
        "'a'",
        "b'a'",
        "r'\\'",
      ],
      ...["&&", "||", "==", "in", "+", "-", "!", "has", "all", "exists", "map", "x", "size", "optMap", "orValue"],
      ...[
        "quantity('1')",
        "ip('::1')",
        "duration('1h')",
        "cel.bind",
        "`a`",
        "\\",
        "\u0000",
        "ä",
        "😀",
        " ",
        "//",
        "\n",
      ],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        try {
          compile(parts.join(""), environment).evaluate({ object: { a: [1] }, s: "x", l: ["a"] });
        } catch (error) {
          assert.ok(error instanceof CelError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("messages, variables with getters, the authorizer", () => {
  test("a message is what was written", () => {
    const typed = kubernetesEnvironment({
      messages: [
        { name: "Object", type: objectType("Object") },
        { name: "Object.spec", type: objectType("Object.spec") },
      ],
    });
    const program = compile("Object{spec: Object.spec{replicas: 3, ?paused: optional.none()}}", typed);
    assert.deepEqual(toJson(program.evaluate({})), { spec: { replicas: 3 } });
  });

  test("a variable is only computed when it is asked for", () => {
    let asked = 0;
    const variables = {
      get costly() {
        asked++;
        return 1;
      },
    };
    const typed = kubernetesEnvironment({ variables: { variables: "dyn" } });
    assert.equal(compile("false && variables.costly == 1", typed).evaluate({ variables }), false);
    assert.equal(asked, 0);
    assert.equal(compile("variables.costly == 1", typed).evaluate({ variables }), true);
    assert.equal(asked, 1);
  });

  test("the authorizer is asked in full", () => {
    const asked: AccessQuestion[] = [];
    const authorizer = new Authorizer((question) => {
      asked.push(question);
      return { allowed: question.namespace === "shop", reason: "because" };
    });
    const typed = kubernetesEnvironment({
      variables: { authorizer: parseType("kubernetes.authorization.Authorizer") },
    });
    const ask = (expression: string): unknown => compile(expression, typed).evaluate({ authorizer });
    assert.equal(
      ask(`authorizer.serviceAccount("shop", "web").group("apps").resource("deployments").subresource("scale")
        .namespace("shop").name("web").check("update").allowed()`),
      true,
    );
    assert.deepEqual(asked[0], {
      subject: {
        user: "system:serviceaccount:shop:web",
        groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
      },
      verb: "update",
      ...{ group: "apps", resource: "deployments", subresource: "scale", namespace: "shop", name: "web" },
    });
    assert.equal(ask(`authorizer.path("/healthz").check("get").reason()`), "because");
  });
});

describe("estimates", () => {
  const cases: [expression: string, min: number, max: number][] = [
    ["true", 0, 0],
    ["object.a.b == 1", 3, 4],
    ["s.contains('x')", 1, Infinity],
    ["[1, 2, 3].all(x, x > 0)", 4, 17],
    ["s == 'abc'", 1, 2],
  ];
  for (const [expression, min, max] of cases) {
    test(expression, () => assert.deepEqual(estimateCost(expression, environment), { min, max }));
  }

  test("a bound for the data bounds the cost, and what is spent stays within", () => {
    const expression = "object.containers.all(c, c.image.startsWith('registry/'))";
    const bounds: Record<string, number> = { "object.containers": 10, "object.containers.@item.image": 100 };
    const estimate = estimateCost(expression, environment, { maxSize: (path) => bounds[path] });
    assert.ok(Number.isFinite(estimate.max));
    const containers = Array.from({ length: 10 }, () => ({ image: "registry/".padEnd(100, "x") }));
    let cost = 0;
    compile(expression, environment).evaluate({ object: { containers } }, { spent: (spent) => (cost = spent) });
    assert.ok(cost >= estimate.min && cost <= estimate.max, `${cost} in ${JSON.stringify(estimate)}`);
  });
});
