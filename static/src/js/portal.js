/*
 * The page's only script: htmx, then one module per behaviour. A behaviour is switched on by a data
 * attribute in the HTML; a page without it costs nothing.
 *
 *   <script type="module" src="{% static 'portal/js/portal.js' %}"></script>
 */
import "htmx.org";

import "./theme.js";
import "./times.js";
import "./connection.js";
import "./live.js";
import "./forms.js";
import "./toast.js";
import "./copy.js";
import "./output/panel.js";
import "./run.js";
import "./input.js";
