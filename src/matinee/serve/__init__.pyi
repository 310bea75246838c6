from ._app import create_app as create_app
from ._server import serve as serve
from ._settings import ServeSettings as ServeSettings
