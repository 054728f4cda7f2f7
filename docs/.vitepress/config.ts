import { defineConfig } from 'vitepress';
import { referencePages, siteLink, sourcePages } from './pages.js';
import { slugify } from './slugify.js';

const pages = sourcePages();

const GUIDE = [
  {
    text: 'Start',
    items: [
      { text: 'A server', link: '/start/server' },
      { text: 'A client', link: '/start/client' },
      { text: 'A page', link: '/start/browser' },
      { text: 'Concepts', link: '/concepts' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'Policies', link: '/policy' },
      { text: 'Profiles', link: '/profiles' },
      { text: 'Keys', link: '/keys' },
      { text: 'Errors', link: '/errors' },
      { text: 'The core', link: '/core' },
      { text: 'Versions', link: '/versioning' },
    ],
  },
  {
    text: 'Adapters',
    items: [
      { text: 'Express', link: '/adapters/express' },
      { text: 'Koa', link: '/adapters/koa' },
      { text: 'NestJS', link: '/adapters/nest' },
      { text: 'Axios', link: '/adapters/axios-interceptor' },
      { text: 'fetch', link: '/adapters/fetch' },
    ],
  },
  {
    text: 'Recipes',
    items: [
      { text: 'From plain to encrypted', link: '/recipes/migrate' },
      { text: 'Plain node:http, and by hand', link: '/recipes/plain-http' },
      { text: 'Add a partner', link: '/recipes/add-partner' },
      { text: 'Rotate a key', link: '/recipes/rotate' },
      { text: 'Use a key service', link: '/recipes/key-service' },
      { text: 'Log safely', link: '/recipes/logging' },
      { text: 'NestJS with Swagger', link: '/recipes/nest-swagger' },
      { text: 'Both ends are yours', link: '/recipes/own-both-ends' },
      { text: 'Test your application', link: '/testing' },
    ],
  },
  {
    text: 'Security and speed',
    items: [
      { text: 'Threat model', link: '/threat-model' },
      { text: 'What is refused', link: '/refusals' },
      { text: 'Timing', link: '/timing' },
      { text: 'One key for many fields', link: '/per-message-key' },
      { text: 'Performance', link: '/performance' },
      { text: 'Report a vulnerability', link: '/security' },
    ],
  },
  {
    text: 'The project',
    items: [
      { text: 'Architecture', link: '/architecture' },
      { text: 'Contributing', link: '/contributing' },
    ],
  },
];

export default defineConfig({
  title: '@e2ee',
  description: 'Field-level and message-level encryption for JSON APIs: one policy, thin framework adapters',
  lang: 'en-GB',
  // The site works from any folder of any host when it is given one: `vitepress build --base /e2ee/`.
  srcExclude: ['**/node_modules/**', 'examples/**'],
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify },
    config: (md) => {
      md.core.ruler.push('repository-links', ({ tokens, env }) => {
        const from = { page: env.relativePath, source: env.frontmatter?.source };
        for (const { children } of tokens) {
          for (const [i, token] of (children ?? []).entries()) {
            const href = token.type === 'link_open' ? token.attrGet('href') : null;
            if (href === null) continue;
            const link = siteLink(href, from, pages);
            if (link !== undefined) token.attrSet('href', link);
            else showAsFile(children ?? [], i, href);
          }
        }
      });
    },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/server' },
      { text: 'Policies', link: '/policy' },
      { text: 'Errors', link: '/errors' },
      { text: 'Security', link: '/threat-model' },
      { text: 'API', link: '/reference/', activeMatch: '^/reference/' },
    ],
    sidebar: [...GUIDE, { text: 'API', items: referencePages() }],
    outline: [2, 3],
    search: { provider: 'local' },
  },
});

interface LinkToken {
  type: string;
  tag: string;
  attrs: [string, string][] | null;
}

/** A file of the repository that the site does not show is named, and not linked. */
function showAsFile(tokens: readonly LinkToken[], open: number, href: string): void {
  const close = tokens.slice(open).find(({ type }) => type === 'link_close');
  const start = tokens[open];
  if (!start || !close) return;
  Object.assign(start, { type: 'file_open', tag: 'span', attrs: [['title', `In the repository: ${href}`]] });
  Object.assign(close, { type: 'file_close', tag: 'span' });
}
