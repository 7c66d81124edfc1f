from . import data as data
from . import evaluation as evaluation
from . import explain as explain
from . import faces as faces
from . import figures as figures
from . import landmarks as landmarks
from . import models as models
from . import tracing as tracing
from . import training as training
from . import widgets as widgets
from .errors import WorkbenchError as WorkbenchError
from .faces import Face as Face
from .faces import load_face as load_face
from .faces import sample_face as sample_face
from .faces import sample_names as sample_names
from .landmarks import get_scheme as get_scheme
from .landmarks import user_scheme as user_scheme
from .models import Alignment as Alignment
from .models import list_models as list_models
from .models import load_model as load_model
from .reading import Reading as Reading
from .reading import read as read
from .tracing import Trace as Trace
from .tracing import record as record

__version__: str
