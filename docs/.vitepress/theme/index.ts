/**
 * The theme of VitePress with the fonts of the system, and a main landmark on the home page too.
 *
 * @module
 */

import type { Theme } from 'vitepress'
import theme from 'vitepress/theme-without-fonts'
import './style.css'

const siteTheme: Theme = {
  extends: theme,
  enhanceApp({ router }) {
    if (typeof document === 'undefined') return
    // Pages have an element `main`, and the home page has none.
    router.onAfterRouteChange = () => {
      const isHome = router.route.data.frontmatter['layout'] === 'home'
      document.getElementById('VPContent')?.setAttribute('role', isHome ? 'main' : 'presentation')
    }
  },
}

export default siteTheme
