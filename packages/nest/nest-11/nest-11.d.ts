/** A module with Nest 11 in it: see `plugin.ts`. Typed by the module without the mark. */
declare module '*?nest-11';
