import theme from 'vitepress/theme-without-fonts';
import './style.css'; // behind the theme's own

export default theme;
