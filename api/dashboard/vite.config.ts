import { defineConfig } from "vitest/config";

export default defineConfig({
  // Flask serves the build under /static/; the pages themselves are client routes.
  base: "/static/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    // Fonts and images become files: the content policy allows no data: addresses.
    assetsInlineLimit: 0,
    // The chart library is one lazily loaded chunk of about 500 kB before compression, on purpose.
    chunkSizeWarningLimit: 700,
  },
  test: { include: ["tests/**/*.test.ts"] },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
