/** @type {import('@eventcatalog/core/bin/eventcatalog.config').Config} */
export default {
  // Any UUID; the build writes one into this file where there is none.
  cId: '9f1c3a52-6d0e-4b7a-8f43-0c5d2e7b6a10',
  title: 'CodePix',
  tagline: 'Every event of an instant-payment hub and its banks',
  organizationName: 'CodePix',
  // Must be a whole URL: the site generator takes it as the address of the site.
  homepageLink: 'http://127.0.0.1:3000',
  landingPage: '/docs/domains/CodePix/1.0.0',
  output: 'static',
  outDir: 'dist',
  base: '/',
  trailingSlash: false,
  port: 3000,
  logo: { alt: 'CodePix', src: '/logo.svg', text: 'CodePix' },
  rss: { enabled: false, limit: 15 },
  llmsTxt: { enabled: true },
  mermaid: { iconPacks: [] },
};
