"""Django settings. Everything an operator may set comes from ``gcportal.environment``."""

from __future__ import annotations

from urllib.parse import quote

from csp.constants import NONE, SELF

from .database import database_settings
from .environment import BASE_DIR, env, load_dotenv
from .keys import read_or_create
from .logs import logging_settings
from .paths import data_dir, local_working_dir, redis_socket, worker_host

load_dotenv()

DATA_DIR = data_dir()
DEBUG = env("DEBUG")
SECRET_KEY = env("SECRET_KEY") or read_or_create(DATA_DIR / "keys" / "secret_key", "secret")
FIELD_ENCRYPTION_KEY = env("FIELD_ENCRYPTION_KEY") or [
    read_or_create(DATA_DIR / "keys" / "field_encryption_key", "fernet")
]

# --- Applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",  # first: its runserver serves sockets too
    "gcportal.apps.PortalConfig",
    "accounts",
    "providers",
    "sandboxes",
    "gcportal.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "channels",
    "ninja",
    "csp",
    "django_structlog",
    "encrypted_model_fields",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "gcportal.middleware.RequestLogMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "csp.middleware.CSPMiddleware",
    "gcportal.middleware.PortalErrorMiddleware",
]
ROOT_URLCONF = "gcportal.urls"
ASGI_APPLICATION = "gcportal.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gcportal.context.portal",
            ],
        },
    },
]

# --- Data ---------------------------------------------------------------------------------------

DATABASES = {"default": database_settings(env("DATABASE_URL"), DATA_DIR, env("DATABASE_POOL_SIZE"))}

# The embedded server listens on a private socket in the data folder.
EMBEDDED_REDIS_SOCKET = redis_socket(DATA_DIR)
EMBEDDED_REDIS = not env("REDIS_URL")
REDIS_URL = env("REDIS_URL") or f"unix://{quote(str(EMBEDDED_REDIS_SOCKET))}?db=0"
CELERY_REDIS_URL = env("REDIS_URL") or f"redis+socket://{quote(str(EMBEDDED_REDIS_SOCKET))}"
# redis-py 8 gives up on any reply after 5 s, blocking reads included: stay above the longest one.
REDIS_SOCKET_TIMEOUT = 30

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": REDIS_SOCKET_TIMEOUT}]},
    }
}

# --- Sign-in ------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ALLOW_SIGN_UP = env("ALLOW_SIGN_UP")
SESSION_COOKIE_AGE = 14 * 24 * 3600

# --- Security -----------------------------------------------------------------------------------

ALLOWED_HOSTS = env("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env("CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env("SECURE_COOKIES")
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if env("SECURE_COOKIES") else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env("SECURE_COOKIES")
SECURE_SSL_REDIRECT = env("SECURE_COOKIES") and env("BEHIND_PROXY")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
if env("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "gcportal.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
    }
}

# --- Static files -------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static" / "dist"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
WHITENOISE_USE_FINDERS = DEBUG

# --- Mail, time, language -----------------------------------------------------------------------

vars().update(env.email_url("EMAIL_URL"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("DEFAULT_FROM_EMAIL")
LANGUAGE_CODE = "en"
TIME_ZONE = env("TIME_ZONE")
USE_TZ = True
USE_I18N = True

# --- Workers ------------------------------------------------------------------------------------

WORKER_HOST = worker_host(DATA_DIR)
CELERY_BROKER_URL = CELERY_REDIS_URL
CELERY_TASK_IGNORE_RESULT = True  # the row is the result
CELERY_TASK_ACKS_LATE = False  # tasks are short or leased; the sweep restarts what a crash left
CELERY_TASK_DEFAULT_QUEUE = "ops"
CELERY_TASK_ROUTES = {
    "sandboxes.tasks.start_command": {"queue": "streams"},
    "sandboxes.tasks.cancel_command": {"queue": "streams"},
    "sandboxes.tasks.deliver_input": {"queue": "streams"},
}
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = env("WORKER_THREADS")
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": REDIS_SOCKET_TIMEOUT,
    "socket_connect_timeout": 5,
    "visibility_timeout": 3600,
    # A person who asks isn't kept waiting for a broker that is down: the sweep sends it again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": 1,
}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "sandboxes.tasks.sweep", "schedule": 2.0, "options": {"expires": 10}},
    "health": {
        "task": "providers.tasks.check_providers",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "prune": {
        "task": "sandboxes.tasks.prune",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
}
# The schedule is static and everything due is found in the database: beat keeps no file.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"

# --- Sandboxes and commands ---------------------------------------------------------------------

LOCAL_WORKING_DIR = local_working_dir(DATA_DIR)
LOCAL_ISOLATION = env("LOCAL_ISOLATION")
SANDBOX_DEFAULT_TTL_SECONDS = env("SANDBOX_DEFAULT_TTL_SECONDS")
SANDBOX_MAX_TTL_SECONDS = env("SANDBOX_MAX_TTL_SECONDS")
COMMAND_MAX_TIMEOUT_SECONDS = env("COMMAND_MAX_TIMEOUT_SECONDS")
COMMAND_OUTPUT_LIMIT_BYTES = env("COMMAND_OUTPUT_LIMIT_BYTES")

# --- Logs ---------------------------------------------------------------------------------------

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_settings(env("LOG_LEVEL"), env("LOG_FORMAT"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
