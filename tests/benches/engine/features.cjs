// Decides GrowthBook's features for one visitor after the other: with the engine as WebAssembly, in each of its
// builds, and with GrowthBook's SDK.
//
//   node features.cjs FOLDER NODE_MODULES BUILD…
//
// All get a visitor's attributes as the same object, and all end with the values of all features in a JavaScript
// array. The SDK is asked in both ways that it has (an instance whose attributes are set, as in pages, and the
// client for many users, as on servers); the faster one is the peer. FOLDER/wasm.json gets the medians, in
// microseconds for each visitor.

const fs = require('node:fs');
const path = require('node:path');
const assert = require('node:assert');

const WARM_UP = 15;
const PASSES = 100;
const TURN = 20;

const [folder, modules, ...builds] = process.argv.slice(2);
const json = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
const payload = json('payload.json');
const visitors = json('visitors.json');

// Features are in the order of their names on both sides.
const names = Object.keys(payload.features).sort();

const now = Date.UTC(2026, 10, 21, 12);

function engine(build) {
  const { Features } = require(path.join(folder, build, 'engine.js'));
  const features = Features.open(fs.readFileSync(path.join(folder, 'program.bin')));
  const all = new Map(JSON.parse(features.values()));
  assert.deepStrictEqual([...all.keys()], names);
  const values = [...all.values()];
  return (attributes) => {
    const places = features.decide(attributes.id, JSON.stringify(attributes), now);
    const decided = new Array(values.length);
    for (let at = 0; at < values.length; at++) decided[at] = values[at][places[at]];
    return decided;
  };
}

const { GrowthBook, GrowthBookClient } = require(path.join(modules, '@growthbook/growthbook'));
function instance() {
  const growthbook = new GrowthBook({});
  growthbook.initSync({ payload });
  return (attributes) => {
    growthbook.setAttributes(attributes);
    const decided = new Array(names.length);
    for (let at = 0; at < names.length; at++) decided[at] = growthbook.evalFeature(names[at]).value;
    return decided;
  };
}

function client() {
  const growthbook = new GrowthBookClient({});
  growthbook.initSync({ payload });
  return (attributes) => {
    const decided = new Array(names.length);
    const user = { attributes };
    for (let at = 0; at < names.length; at++) decided[at] = growthbook.evalFeature(names[at], user).value;
    return decided;
  };
}

const sides = new Map(builds.map((build) => [build, engine(build)]));
sides.set('an instance', instance());
sides.set('the client', client());

for (const attributes of visitors) {
  const expected = sides.get('an instance')(attributes);
  assert.strictEqual(expected.length, names.length);
  for (const [name, decide] of sides) {
    assert.deepStrictEqual(decide(attributes), expected, `${name}: ${attributes.id}`);
  }
}

const times = new Map([...sides.keys()].map((name) => [name, []]));
// The first passes let the JavaScript engine compile what is used often. Each side has its turn with some visitors at
// a time: less than a slice of the processor's time, so that what else the machine does spoils few of all turns.
for (let pass = -WARM_UP; pass < PASSES; pass++) {
  for (let first = 0; first < visitors.length; first += TURN) {
    const some = visitors.slice(first, first + TURN);
    for (const [name, decide] of sides) {
      const started = process.hrtime.bigint();
      for (const attributes of some) decide(attributes);
      const time = Number(process.hrtime.bigint() - started) / 1000 / some.length;
      if (pass >= 0) times.get(name).push(time);
    }
  }
}
const median = (name) => {
  const sorted = times.get(name).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};
const peer = median('an instance') <= median('the client') ? 'an instance' : 'the client';
const version = require(path.join(modules, '@growthbook/growthbook/package.json')).version;
fs.writeFileSync(
  path.join(folder, 'wasm.json'),
  JSON.stringify({
    ours: Object.fromEntries(builds.map((build) => [build, median(build)])),
    peer: median(peer),
    peer_name: `@growthbook/growthbook ${version}, ${peer}`,
  }),
);
