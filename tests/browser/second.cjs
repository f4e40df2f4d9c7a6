// Another browser of the same person gets the variant that only the person's profile knows, from the edge.
"use strict";
const { run, ready, go } = require("./chromium.cjs");

run(async (newVisitor, edge) => {
  const phone = await newVisitor();
  await go(phone, `${edge}/cart`);
  await ready(phone);
  await phone.evaluate(() => window.nearside.identify("grace", { firstName: "Grace" }));
  await phone.click("#order");
  await phone.waitForResponse((response) => response.url().endsWith("/_ns/v1/batch"));

  const laptop = await newVisitor();
  const stranger = await go(laptop, `${edge}/`);
  await ready(laptop);
  const answered = laptop.waitForResponse((response) => response.url().endsWith("/_ns/v1/batch"));
  await laptop.evaluate(() => window.nearside.identify("grace"));
  await answered;
  // The order of the phone goes through the queue; the laptop's next pages have it when the origin has it.
  let html = "";
  for (let tries = 0; tries < 200 && !html.includes("Good to see you again"); tries++) {
    html = await go(laptop, `${edge}/`);
    await laptop.waitForTimeout(50);
  }
  return { stranger, html, errors: [...phone.errors, ...laptop.errors] };
});
