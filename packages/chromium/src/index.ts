export { chromiumLaunch } from './launch.js';
