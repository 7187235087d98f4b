// What the linter holds, beyond its own rules.
module.exports = {
  rules: {
    'best-practices/schema-required': 'off', // the schemas of events are checked by cargo test
    'refs/orphan-messages': 'error',
    'best-practices/description-required': 'off',
  },
  overrides: [
    {
      files: ['users/**', 'teams/**'],
      rules: { 'best-practices/summary-required': 'off', 'best-practices/owner-required': 'off' },
    },
  ],
};
