// Answers what V8 makes of regular expressions.
//
// Input: a JSON line for each pattern, {"pattern", "flags", "texts"}; without texts, those of the line before.
// Output: a line for each pattern, a 0 or 1 for each text, or `!` and V8's message if it is no pattern.
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");

let texts = [];
const answers = readFileSync(process.argv[2], "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => {
    const question = JSON.parse(line);
    texts = question.texts ?? texts;
    try {
      const regex = new RegExp(question.pattern, question.flags);
      return texts.map((text) => (regex.test(text) ? "1" : "0")).join("");
    } catch (error) {
      return `!${String(error.message).replaceAll("\n", " ")}`;
    }
  });
writeFileSync(process.argv[3], answers.join("\n"));
