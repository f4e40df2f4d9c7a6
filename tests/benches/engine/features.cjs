// Decides GrowthBook's features for one visitor after the other: with the engine as WebAssembly, in each of its
// builds, and with GrowthBook's SDK.
//
//   node features.cjs FOLDER NODE_MODULES BUILD…
//
// All get a visitor's attributes as the same object, and all end with the values of all features in a JavaScript
// object. The SDK is asked in both ways that it has (an instance whose attributes are set, as in pages, and the
// client for many users, as on servers); the faster one is the peer. FOLDER/wasm.json gets the medians, in
// microseconds for each visitor.

const fs = require('node:fs');
const path = require('node:path');
const assert = require('node:assert');

const ROUNDS = 150;

const [folder, modules, ...builds] = process.argv.slice(2);
const json = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
const payload = json('payload.json');
const visitors = json('visitors.json');

const now = Date.UTC(2026, 10, 21, 12);

function engine(build) {
  const { Features } = require(path.join(folder, build, 'engine.js'));
  const features = Features.open(fs.readFileSync(path.join(folder, 'program.bin')));
  const all = JSON.parse(features.values());
  return (attributes) => {
    const places = features.decide(attributes.id, JSON.stringify(attributes), now);
    const decided = {};
    for (let at = 0; at < all.length; at++) decided[all[at][0]] = all[at][1][places[at]];
    return decided;
  };
}

const { GrowthBook, GrowthBookClient } = require(path.join(modules, '@growthbook/growthbook'));
const names = Object.keys(payload.features);

function instance() {
  const growthbook = new GrowthBook({});
  growthbook.initSync({ payload });
  return (attributes) => {
    growthbook.setAttributes(attributes);
    const decided = {};
    for (const name of names) decided[name] = growthbook.evalFeature(name).value;
    return decided;
  };
}

function client() {
  const growthbook = new GrowthBookClient({});
  growthbook.initSync({ payload });
  return (attributes) => {
    const decided = {};
    const user = { attributes };
    for (const name of names) decided[name] = growthbook.evalFeature(name, user).value;
    return decided;
  };
}

const sides = new Map(builds.map((build) => [build, engine(build)]));
sides.set('an instance', instance());
sides.set('the client', client());

for (const attributes of visitors) {
  const expected = sides.get('an instance')(attributes);
  assert.strictEqual(Object.keys(expected).length, names.length);
  for (const [name, decide] of sides) {
    assert.deepStrictEqual(decide(attributes), expected, `${name}: ${attributes.id}`);
  }
}

const times = new Map([...sides.keys()].map((name) => [name, []]));
// The first tenth lets the JavaScript engine compile what is used often.
for (let round = -ROUNDS / 10; round < ROUNDS; round++) {
  for (const [name, decide] of sides) {
    const started = process.hrtime.bigint();
    for (const attributes of visitors) decide(attributes);
    const time = Number(process.hrtime.bigint() - started) / 1000 / visitors.length;
    if (round >= 0) times.get(name).push(time);
  }
}
const median = (name) => times.get(name).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
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
