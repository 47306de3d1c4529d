import { defineConfig } from "vite";

/** Nothing is inlined: the page's content policy allows scripts, styles and images from its own address alone. */
export default defineConfig({
  root: import.meta.dirname,
  clearScreen: false,
  build: {
    outDir: "../../dist/console",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      checks: { pluginTimings: false },
      // Mantine's files say that they are for clients, which everything here is.
      onwarn: (warning, tell) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") tell(warning);
      },
    },
  },
});
