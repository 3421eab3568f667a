// Loaded first by every Node process of a rehearsal. Pulumi's SDK reports an error of the program by `util.inspect` with colours, and
// Node (seen in 20.20.2) never ends colouring a stack with a line like `node_modules/@pulumi/output.ts`, which is what source maps
// make of the SDK's own frames: markNodeModules in lib/internal/util/inspect.js. Without colours it does.
const util = require("node:util");
const inspect = util.inspect;
util.inspect = Object.defineProperties(
    (value, options, ...more) =>
        inspect(value, options && options.colors ? { ...options, colors: false } : options, ...more),
    Object.getOwnPropertyDescriptors(inspect),
);
