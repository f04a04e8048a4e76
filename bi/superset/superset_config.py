"""Superset's settings, read by it alone: state below CRW_HOME, nobody anonymous, nothing from or to another machine."""

import os

SECRET_KEY = os.environ["CRW_SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['CRW_SUPERSET_HOME']}/metadata.db"
DATA_DIR = os.environ["CRW_SUPERSET_HOME"]

AUTH_ROLE_PUBLIC = "Public"  # which has no permission
PUBLIC_ROLE_LIKE = None
LANGUAGES = {"en": {"flag": "gb", "name": "English"}, "zh_TW": {"flag": "hk", "name": "繁體中文"}}

# The shipped policy lets pages ask other machines for maps, fonts and a tracking pixel.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "img-src": ["'self'", "blob:", "data:"],
        "object-src": "'none'",
        "script-src": ["'self'", "'strict-dynamic'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "worker-src": ["'self'", "blob:"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
SESSION_COOKIE_SAMESITE = "Strict"
FAB_ADD_SECURITY_API = False
# One process on one machine: what is asked often stays in its memory for five minutes, so that a new night shows.
DATA_CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300}
RATELIMIT_ENABLED = True
RATELIMIT_STORAGE_URI = "memory://"
SQLLAB_TIMEOUT = 30
SUPERSET_WEBSERVER_TIMEOUT = 60
# There is no broker: nothing runs in the background.
CELERY_CONFIG = None
# Else a chart out of sight is not drawn, and a print has gaps.
FEATURE_FLAGS = {"DASHBOARD_VIRTUALIZATION": False}
