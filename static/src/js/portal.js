/*
 * The page's only script: htmx, then one module per behaviour. A behaviour is switched on by a data
 * attribute in the HTML; a page without it costs nothing.
 *
 *   <script type="module" src="{% static 'portal/js/portal.js' %}"></script>
 */
import "htmx.org";

import "./page/theme.js";
import "./page/times.js";
import "./page/connection.js";
import "./page/live.js";
import "./page/forms.js";
import "./page/toast.js";
import "./page/copy.js";
import "./output/panel.js";
import "./page/run.js";
import "./page/input.js";
