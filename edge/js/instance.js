// Which instance of the module is in use: pages that are on their way outlive the one that they began in, and what is
// left of them means nothing in the next.

let broken = 0;

// The instance in use has broken.
export const breaks = () => {
  broken += 1;
};

// How many have broken before the one in use.
export const instance = () => broken;
