import eslint from "@eslint/js";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["**/node_modules/**", ".rehearsal/**"] },
    eslint.configs.recommended,
    ...tseslint.configs.recommended,
    {
        rules: {
            "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
            "@typescript-eslint/consistent-type-imports": "error",
            eqeqeq: ["error", "always"],
        },
    },
    {
        // What a process runs before anything could translate it.
        files: ["**/*.{js,cjs}"],
        languageOptions: {
            sourceType: "commonjs",
            globals: { __dirname: "readonly", module: "writable", process: "readonly", require: "readonly" },
        },
        rules: { "@typescript-eslint/no-require-imports": "off" },
    },
    prettier,
);
