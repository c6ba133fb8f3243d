// dist/ is what is tested, as a program would import it.
export default { testEnvironment: 'node', testMatch: ['<rootDir>/tests/*.test.mjs'], transform: {}, testTimeout: 60_000 };
