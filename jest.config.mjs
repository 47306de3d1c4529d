/** Jest in ESM needs NODE_OPTIONS=--experimental-vm-modules; `./drover test` sets it. */
export default {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: {
          target: "es2023",
          parser: { syntax: "typescript", decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  moduleNameMapper: { "^#([a-z-]+)$": "<rootDir>/libs/$1/index.ts" },
  roots: ["<rootDir>/apps", "<rootDir>/libs", "<rootDir>/test", "<rootDir>/scripts"],
  testMatch: ["**/*.spec.ts"],
  testTimeout: 60_000,
  workerIdleMemoryLimit: "1GB",
};
