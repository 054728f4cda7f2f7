/* Modules under the names that they are imported by: TypeDoc names them after their files. */
import { Converter, ReflectionKind } from 'typedoc';

const SUFFIX = { index: '', node: '/node', testing: '/testing', adapter: '/adapter' };

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const [, folder, , file = 'index'] = /^([\w-]+)\/src(\/(\w+))?$/.exec(module.name) ?? [];
      if (folder) module.name = `@e2ee/${folder}${SUFFIX[file]}`;
    }
  });
}
