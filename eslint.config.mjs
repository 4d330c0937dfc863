import tseslint from "typescript-eslint";

/** Time and chance come from `clock` and `id` alone, so that a virtual clock can run everything. */
const timeAndChance = {
  "no-restricted-globals": [
    "error",
    ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval"].map((name) => ({
      name,
      message: "Timers come from core/ground/clock.ts.",
    })),
  ],
  "no-restricted-properties": [
    "error",
    { object: "Date", property: "now", message: "Time comes from core/ground/clock.ts." },
    { object: "Math", property: "random", message: "Chance comes from core/ground/id.ts." },
    { object: "AbortSignal", property: "timeout", message: "Deadlines come from core/ground/clock.ts." },
    { object: "performance", property: "now", message: "Time comes from core/ground/clock.ts." },
  ],
  "no-restricted-syntax": [
    "error",
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: "Time comes from core/ground/clock.ts.",
    },
    {
      selector: "ImportDeclaration[source.value='zod'] > ImportSpecifier",
      message: 'import * as z from "zod" (a fifth of the size).',
    },
    {
      selector: "ImportDeclaration[source.value=/^(node:)?timers/]",
      message: "Timers come from core/ground/clock.ts.",
    },
    {
      selector: "ImportDeclaration[source.value=/^(node:)?child_process/]",
      message: "Child processes come from core/ground/process.",
    },
    { selector: "Property[key.name='shell'][value.value=true]", message: "No shell, ever: argument arrays." },
    {
      selector: "MemberExpression[object.name='process'][property.name='env']",
      message: "The environment is read in core/ground/config.ts.",
    },
    {
      selector: "Property[key.name=/^(pk|sk|gsi[123][ps]k)$/] > :matches(Literal, TemplateLiteral).value",
      message: "Keys are built in core/ground/store/keys.ts.",
    },
  ],
};

export default tseslint.config(
  { ignores: ["node_modules", "dist", ".sst", "coverage"] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: false }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/require-await": "off",
      // Ports are plain objects of functions that never use `this`.
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
    },
  },
  { files: ["core/**/*.ts", "functions/**/*.ts", "client/**/*.ts"], rules: timeAndChance },
  {
    files: ["core/ground/clock.ts", "core/ground/id.ts"],
    rules: { "no-restricted-globals": "off", "no-restricted-properties": "off", "no-restricted-syntax": "off" },
  },
  {
    files: ["core/ground/config.ts", "core/ground/store/keys.ts", "functions/local/dynamodb.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  { files: ["core/ground/process/*.ts"], rules: { "no-restricted-globals": "off", "no-restricted-syntax": "off" } },
  { files: ["**/*.mjs", "**/*.cjs"], extends: [tseslint.configs.disableTypeChecked] },
);
