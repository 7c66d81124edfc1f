from .few_shot import Taught as Taught
from .few_shot import teach as teach
from .recipes import RECIPES as RECIPES
from .recipes import Recipe as Recipe
from .recipes import get_recipe as get_recipe
from .run import train as train
from .steps import train_steps as train_steps
